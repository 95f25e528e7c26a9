<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="-1" classificationMax="1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="4" minimumValue="-1" maximumValue="1">
     <colorramp type="gradient" name="[source]">
      <Option type="Map">
       <Option type="QString" name="color1" value="178,24,43,255"/>
       <Option type="QString" name="color2" value="33,102,172,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.166666;239,138,98,255:0.333334;253,219,199,255:0.5;247,247,247,255:0.666667;209,229,240,255:0.833333;103,169,207,255"/>
      </Option>
     </colorramp>
     <item value="-1" color="#b2182b" alpha="255" label="-1"/>
     <item value="-0.666667" color="#ef8a62" alpha="255" label="-0.666667"/>
     <item value="-0.333333" color="#fddbc7" alpha="255" label="-0.333333"/>
     <item value="0" color="#f7f7f7" alpha="255" label="0"/>
     <item value="0.333333" color="#d1e5f0" alpha="255" label="0.333333"/>
     <item value="0.666667" color="#67a9cf" alpha="255" label="0.666667"/>
     <item value="1" color="#2166ac" alpha="255" label="1"/>
     <rampLegendSettings useContinuousLegend="1" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
