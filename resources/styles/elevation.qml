<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="0" classificationMax="1000" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="4" minimumValue="0" maximumValue="1000">
     <colorramp type="gradient" name="[source]">
      <Option type="Map">
       <Option type="QString" name="color1" value="13,74,58,255"/>
       <Option type="QString" name="color2" value="255,255,255,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.166667;47,115,80,255:0.333333;111,156,94,255:0.5;181,189,120,255:0.666667;220,207,160,255:0.833333;238,224,203,255"/>
      </Option>
     </colorramp>
     <item value="0" color="#0d4a3a" alpha="255" label="0"/>
     <item value="166.667" color="#2f7350" alpha="255" label="166.667"/>
     <item value="333.333" color="#6f9c5e" alpha="255" label="333.333"/>
     <item value="500" color="#b5bd78" alpha="255" label="500"/>
     <item value="666.667" color="#dccfa0" alpha="255" label="666.667"/>
     <item value="833.333" color="#eee0cb" alpha="255" label="833.333"/>
     <item value="1000" color="#ffffff" alpha="255" label="1000"/>
     <rampLegendSettings useContinuousLegend="1" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=" m"/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
