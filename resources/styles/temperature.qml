<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="0" classificationMax="30" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="4" minimumValue="0" maximumValue="30">
     <colorramp type="gradient" name="[source]">
      <Option type="Map">
       <Option type="QString" name="color1" value="49,54,149,255"/>
       <Option type="QString" name="color2" value="165,0,38,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.166667;116,173,209,255:0.333333;224,243,248,255:0.5;255,255,191,255:0.666667;253,174,97,255:0.833333;215,48,39,255"/>
      </Option>
     </colorramp>
     <item value="0" color="#313695" alpha="255" label="0"/>
     <item value="5" color="#74add1" alpha="255" label="5"/>
     <item value="10" color="#e0f3f8" alpha="255" label="10"/>
     <item value="15" color="#ffffbf" alpha="255" label="15"/>
     <item value="20" color="#fdae61" alpha="255" label="20"/>
     <item value="25" color="#d73027" alpha="255" label="25"/>
     <item value="30" color="#a50026" alpha="255" label="30"/>
     <rampLegendSettings useContinuousLegend="1" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
