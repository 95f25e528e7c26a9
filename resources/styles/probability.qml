<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="0" classificationMax="1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="4" minimumValue="0" maximumValue="1">
     <colorramp type="gradient" name="[source]">
      <Option type="Map">
       <Option type="QString" name="color1" value="255,255,204,255"/>
       <Option type="QString" name="color2" value="128,0,38,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.25;254,217,118,255:0.5;253,141,60,255:0.75;227,26,28,255"/>
      </Option>
     </colorramp>
     <item value="0" color="#ffffcc" alpha="255" label="0"/>
     <item value="0.25" color="#fed976" alpha="255" label="0.25"/>
     <item value="0.5" color="#fd8d3c" alpha="255" label="0.5"/>
     <item value="0.75" color="#e31a1c" alpha="255" label="0.75"/>
     <item value="1" color="#800026" alpha="255" label="1"/>
     <rampLegendSettings useContinuousLegend="1" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
